// swift-tools-version: 6.3
// A process monitor and its agent: two programs that speak protobuf in checksummed frames, the messages that both share, and what else they share.
import PackageDescription

let ginnel = Target.Dependency.product(name: "Ginnel", package: "ginnel")

let package = Package(
    name: "process-monitor",
    platforms: [.macOS(.v15)],
    products: [.library(name: "ProcessMonitorMessages", targets: ["ProcessMonitorMessages"])],
    dependencies: [.package(name: "ginnel", path: "../..")],
    targets: [
        .target(name: "ProcessMonitorMessages", dependencies: [ginnel]),
        .target(name: "ProcessMonitorSupport", dependencies: ["ProcessMonitorMessages", ginnel]),
        .executableTarget(name: "procmond", dependencies: ["ProcessMonitorMessages", "ProcessMonitorSupport", ginnel]),
        .executableTarget(name: "agent", dependencies: ["ProcessMonitorMessages", "ProcessMonitorSupport", ginnel]),
    ]
)
