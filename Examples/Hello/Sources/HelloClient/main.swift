import Ginnel
import HelloMessages

try await Client.wait(for: .named("hello"))
try await Client.connect(to: .named("hello")) { client in
    let greeting = try await client.call(Greet(name: "world"), deadline: .seconds(5))
    print(greeting.text)
}
