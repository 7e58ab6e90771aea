// swift-tools-version: 6.3
// The layers of docs/architecture.md, one target each; arrows point down only.
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "ginnel",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Ginnel", targets: ["Ginnel"]),
        .library(name: "GinnelTesting", targets: ["GinnelTesting"]),
    ],
    // Off by default, so that a bare toolchain builds everything else: each needs a C library of the system, which the target Ginnel alone imports.
    traits: [
        .trait(name: "Compression", description: "Smaller messages on connections where both sides want it, with zstd."),
        .trait(name: "Encryption", description: "Connections that are sealed with pinned or pre-shared keys, with libsodium."),
        .trait(name: "DurableOutbox", description: "Messages that survive the end of their sender, in an SQLite file."),
    ],
    targets: [
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
        .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"]), .brew(["libsodium"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),
        .target(name: "CGinnelChecksum"),
        .target(name: "CGinnelPlatform", linkerSettings: ["advapi32", "bcrypt", "ntdll"].map { .linkedLibrary($0, .when(platforms: [.windows])) }),
        .target(name: "GinnelCore", dependencies: ["CGinnelChecksum"], swiftSettings: strict),
        .target(name: "GinnelTransport", dependencies: ["GinnelCore", "CGinnelPlatform"], swiftSettings: strict),
        .target(
            name: "Ginnel",
            dependencies: [
                "GinnelCore", "GinnelTransport",
                .target(name: "CZstd", condition: .when(traits: ["Compression"])),
                .target(name: "CSodium", condition: .when(traits: ["Encryption"])),
                .target(name: "CSQLite", condition: .when(traits: ["DurableOutbox"])),
            ],
            swiftSettings: strict),
        .target(name: "GinnelTesting", dependencies: ["Ginnel", "GinnelCore", "GinnelTransport"], swiftSettings: strict),
        .testTarget(name: "GinnelCoreTests", dependencies: ["GinnelCore", "GinnelTesting"], swiftSettings: strict),
    ],
    cLanguageStandard: .c11
)

// The command, and the tests that start programs and become other users, call Linux and macOS by themselves. (A manifest sees the system that builds.)
#if !os(Windows)
package.products.append(.executable(name: "ginnel", targets: ["GinnelCommand"]))
package.targets += [
    .target(name: "CGinnelCommand"),
    .executableTarget(name: "GinnelCommand", dependencies: ["Ginnel", "GinnelTransport", "CGinnelCommand"], swiftSettings: strict),
    .target(name: "CTestSupport", path: "Tests/CTestSupport"),
    .testTarget(
        name: "GinnelTransportTests",
        dependencies: ["Ginnel", "GinnelTransport", "GinnelCore", "GinnelTesting", "CGinnelPlatform", "CTestSupport", "TestPeer"],
        swiftSettings: strict),
    // Nobody depends on it: its `main` is not to be linked into anything. It is built with everything else.
    .executableTarget(name: "ForeignRing", path: "Tests/Peers/ForeignRing"),
    .executableTarget(name: "TestPeer", dependencies: ["Ginnel", "GinnelTransport", "GinnelTesting"], path: "Tests/TestPeer", swiftSettings: strict),
    .executableTarget(name: "TestPeerMain", dependencies: ["Ginnel"], path: "Tests/TestPeerMain", swiftSettings: strict),
    .executableTarget(name: "Soak", dependencies: ["Ginnel", "GinnelCore", "GinnelTransport", "GinnelTesting"], path: "Tests/Soak", swiftSettings: strict),
    // The messages of an example, for tests that set them beside another implementation.
    .target(name: "ProcessMonitorSchema", dependencies: ["Ginnel"], path: "Examples/ProcessMonitor/Sources/ProcessMonitorMessages", swiftSettings: strict),
    .executableTarget(
        name: "Simulate", dependencies: ["Ginnel", "GinnelCore", "GinnelTransport", "GinnelTesting", "CTestSupport"], path: "Tests/Simulate", swiftSettings: strict),
    .testTarget(
        name: "GinnelTests",
        dependencies: [
            "Ginnel", "GinnelCore", "GinnelTransport", "GinnelTesting", "CTestSupport", "TestPeer", "TestPeerMain", "Soak", "Simulate", "ProcessMonitorSchema",
        ],
        swiftSettings: strict),
    .testTarget(name: "GinnelCommandTests", dependencies: ["GinnelCommand", "Ginnel", "CTestSupport"], swiftSettings: strict),
]
#endif
