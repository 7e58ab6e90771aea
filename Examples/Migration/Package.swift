// swift-tools-version: 6.3
// A service, its agents, and a program that shows both at work.
import PackageDescription

let ginnel: Target.Dependency = .product(name: "Ginnel", package: "ginnel")

let package = Package(
    name: "migration",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "migration-service", targets: ["MigrationService"]),
        .executable(name: "migration-agent", targets: ["MigrationAgent"]),
        .executable(name: "migration", targets: ["MigrationDemo"]),
    ],
    dependencies: [.package(name: "ginnel", path: "../..")],
    targets: [
        .target(name: "MigrationCommon", dependencies: [ginnel]),
        .executableTarget(name: "MigrationService", dependencies: [ginnel, "MigrationCommon"]),
        .executableTarget(name: "MigrationAgent", dependencies: [ginnel, "MigrationCommon"]),
        .executableTarget(name: "MigrationDemo", dependencies: [ginnel, "MigrationCommon"]),
    ]
)
