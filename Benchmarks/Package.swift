// swift-tools-version: 6.3
// Ginnel's side of the benchmarks: a package of its own, so that the library carries none of it.
import PackageDescription

let package = Package(
    name: "ginnel-benchmarks",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "ginnel-bench", targets: ["GinnelBench"])],
    dependencies: [.package(name: "ginnel", path: ".."), .package(name: "process-monitor", path: "../Examples/ProcessMonitor")],
    targets: [
        .target(name: "CProcessor"),
        .executableTarget(
            name: "GinnelBench",
            dependencies: ["CProcessor", .product(name: "Ginnel", package: "ginnel"), .product(name: "ProcessMonitorMessages", package: "process-monitor")],
            swiftSettings: [.swiftLanguageMode(.v6), .enableUpcomingFeature("NonisolatedNonsendingByDefault")]),
    ]
)
