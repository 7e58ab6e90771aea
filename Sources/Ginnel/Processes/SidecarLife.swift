// One life of a sidecar's program: from its start to its end.

internal import Foundation
internal import GinnelCore
internal import GinnelTransport

final class SidecarLife: Sendable {
    let process: SupervisedProcess
    /// Our end of the channel to it; the descriptor is whoever's uses it first.
    let channel: Endpoint
    private let output: SidecarOutput
    private let readyAt = Guarded(ContinuousClock.Instant?.none)

    /// Starts the program.
    init(of sidecar: Sidecar, withChannel: Bool) async throws {
        let configuration = sidecar.configuration
        var environment = [String: String]()
        var inherited: [Int] = []
        var ours = -1
        if withChannel {
            (ours, inherited) = try Self.makeChannel()
            environment[Endpoint.handedDownVariable] = Endpoint.channelHandedDown
        } else if case .listening(let endpoints) = configuration.readiness, let first = endpoints.first {
            environment[Endpoint.handedDownVariable] = "\(first)"
        }
        environment.merge(configuration.environment) { $1 }
        let output = SidecarOutput(configuration)
        self.output = output
        channel = .inherited(ours)
        do {
            process = try await .start(.init(sidecar.program, sidecar.arguments, environment: environment, inheriting: inherited)) { output.take($0, $1) }
        } catch {
            PlatformChannel.close(inherited + (withChannel ? [ours] : []))
            throw error
        }
        PlatformChannel.close(inherited)
    }

    private static func makeChannel() throws -> (Int, [Int]) {
        let (ours, theirs) = try PlatformChannel.pair()
        guard let first = ours.release(), let second = theirs.release() else { throw GinnelError(.other, "a channel without descriptors") }
        return (first, [second])
    }

    // MARK: Being ready

    func noteReady() { readyAt.withLock { $0 = $0 ?? .now } }

    /// How long it was ready so far; `nil` when it never was.
    var readyFor: Duration? { readyAt.withLock { $0.map { ContinuousClock.now - $0 } } }

    /// Waits until a line begins with what readiness asks for, or the task is cancelled.
    func waitForLine() async { for await _ in output.hasLine {} }

    // MARK: The end

    /// Waits for its end. Everything that it said has been handed on.
    func ended() async -> SidecarEnd {
        let end = SidecarEnd(await process.ended())
        output.finish()
        return end
    }

    /// Asks it to end, and ends it at once when it has not after `grace`. Does not wait, so that it does its work in a cancelled task too.
    func end(grace: Duration) {
        process.end()
        let nanoseconds = Int(clamping: grace.wholeNanoseconds)
        DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) { [weak process] in process?.end(atOnce: true) }
    }
}

/// What a program says, cut into lines. On the program's thread, but for the end, which comes after it.
private final class SidecarOutput: Sendable {
    private struct State {
        var output: LineSplitter
        var errors: LineSplitter
    }

    private let state: Guarded<State>
    private let told: @Sendable (SidecarLine) -> Void
    private let wanted: String?
    /// Ends when the line has come that readiness asks for.
    let hasLine: AsyncStream<Never>
    private let line: AsyncStream<Never>.Continuation

    init(_ configuration: SidecarConfiguration) {
        let splitter = LineSplitter(limit: configuration.lineLimit)
        state = Guarded(State(output: splitter, errors: splitter))
        told = configuration.output
        if case .line(let beginning) = configuration.readiness { wanted = beginning } else { wanted = nil }
        (hasLine, line) = AsyncStream.makeStream(of: Never.self)
    }

    func take(_ stream: SupervisedProcess.Stream, _ bytes: UnsafeRawBufferPointer) {
        var lines: [SidecarLine] = []
        state.withLock { state in
            switch stream {
            case .output: state.output.add(bytes) { lines.append(SidecarLine(stream: .output, text: $0.text, isCut: $0.isCut)) }
            case .errors: state.errors.add(bytes) { lines.append(SidecarLine(stream: .errors, text: $0.text, isCut: $0.isCut)) }
            }
        }
        tell(lines)
    }

    func finish() {
        var lines: [SidecarLine] = []
        state.withLock { state in
            state.output.finish { lines.append(SidecarLine(stream: .output, text: $0.text, isCut: $0.isCut)) }
            state.errors.finish { lines.append(SidecarLine(stream: .errors, text: $0.text, isCut: $0.isCut)) }
        }
        tell(lines)
    }

    private func tell(_ lines: [SidecarLine]) {
        for each in lines {
            told(each)
            if let wanted, each.stream == .output, each.text.hasPrefix(wanted) { line.finish() }
        }
    }
}
