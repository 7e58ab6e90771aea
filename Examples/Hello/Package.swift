// swift-tools-version: 6.3
// Two programs and the messages that they share.
import PackageDescription

let ginnel: Target.Dependency = .product(name: "Ginnel", package: "ginnel")

let package = Package(
    name: "hello",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "ginnel", path: "../..")],
    targets: [
        .target(name: "HelloMessages", dependencies: [ginnel]),
        .executableTarget(name: "HelloService", dependencies: [ginnel, "HelloMessages"]),
        .executableTarget(name: "HelloClient", dependencies: [ginnel, "HelloMessages"]),
    ]
)
