// swift-tools-version: 6.3
// A process monitor and its agent: two programs that speak protobuf in checksummed frames, and the messages that both share.
import PackageDescription

let package = Package(
    name: "process-monitor",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "ginnel", path: "../..")],
    targets: [
        .target(name: "ProcessMonitorMessages", dependencies: [.product(name: "Ginnel", package: "ginnel")]),
        .executableTarget(name: "procmond", dependencies: ["ProcessMonitorMessages", .product(name: "Ginnel", package: "ginnel")]),
        .executableTarget(name: "agent", dependencies: ["ProcessMonitorMessages", .product(name: "Ginnel", package: "ginnel")]),
    ]
)
