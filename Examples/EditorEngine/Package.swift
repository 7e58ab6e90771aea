// swift-tools-version: 6.3
// One program that is both: the editor, and, started by it as a child process, the engine.
import PackageDescription

let package = Package(
    name: "editor-engine",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "ginnel", path: "../..")],
    targets: [
        .executableTarget(name: "EditorEngine", dependencies: [.product(name: "Ginnel", package: "ginnel")])
    ]
)
