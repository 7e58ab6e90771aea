import Ginnel

package struct Greet: Request {
    package typealias Response = Greeting
    package static let method = "greet"
    package var name: String

    package init(name: String) { self.name = name }
}

package struct Greeting: Message {
    package var text: String

    package init(text: String) { self.text = text }
}
