// swift-tools-version: 6.3
// A screen recorder in two programs, which meet over tagged JSON: the service records, the client asks it to.
import PackageDescription

let ginnel = Target.Dependency.product(name: "Ginnel", package: "ginnel")

let package = Package(
    name: "recorder",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "recorder-service", targets: ["RecorderService"]),
        .executable(name: "recorder", targets: ["RecorderClient"]),
    ],
    dependencies: [.package(name: "ginnel", path: "../..")],
    targets: [
        .target(name: "RecorderMessages", dependencies: [ginnel]),
        .executableTarget(name: "RecorderService", dependencies: ["RecorderMessages", ginnel]),
        .executableTarget(name: "RecorderClient", dependencies: ["RecorderMessages", ginnel]),
        .testTarget(name: "RecorderTests", dependencies: ["RecorderMessages", "RecorderService", "RecorderClient", ginnel]),
    ]
)
