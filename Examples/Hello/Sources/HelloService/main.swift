import Ginnel
import HelloMessages

let service = Service(at: .named("hello"))
service.handle(Greet.self) { request, context in
    Greeting(text: "Hello, \(request.name): you are \(context.peer)")
}
try await service.run(until: .terminated)
