// The few declarations of swift-log, swift-metrics and swift-distributed-tracing that Attaching.swift uses, as they are there: those packages cannot be had where these tests run. They do what
// is needed to see that what Ginnel tells arrives.

import Ginnel

// MARK: swift-log

struct Logger: Sendable {
    enum Level: String { case trace, debug, info, notice, warning, error, critical }
    enum MetadataValue: Equatable { case string(String) }
    typealias Metadata = [String: MetadataValue]

    struct Message: ExpressibleByStringInterpolation, CustomStringConvertible {
        let description: String
        init(stringLiteral value: String) { description = value }
    }

    static let written = Recorded<String>()
    let label: String

    func log(level: Level, _ message: @autoclosure () -> Message, metadata: @autoclosure () -> Metadata? = nil) {
        let event = metadata()?["event"].map { if case .string(let text) = $0 { text } else { "-" } }
        Self.written.append("\(label) \(level): \(message()) [\(event ?? "-")]")
    }
}

// MARK: swift-metrics

struct Timer {
    static let recorded = Recorded<String>()
    let label: String
    let dimensions: [(String, String)]

    init(label: String, dimensions: [(String, String)] = []) {
        self.label = label
        self.dimensions = dimensions
    }

    func recordNanoseconds(_ duration: Int64) {
        Self.recorded.append("\(label) \(dimensions.map { "\($0)=\($1)" }.joined(separator: " ")) \(duration > 0)")
    }
}

// MARK: swift-distributed-tracing and swift-service-context

struct ServiceContext: Sendable {
    @TaskLocal static var current: ServiceContext?
    static var topLevel: ServiceContext { ServiceContext() }
    var span: String?
}

protocol Extractor<Carrier>: Sendable {
    associatedtype Carrier
    func extract(key: String, from carrier: Carrier) -> String?
}

protocol Injector<Carrier>: Sendable {
    associatedtype Carrier
    func inject(_ value: String, forKey key: String, into carrier: inout Carrier)
}

enum SpanKind { case server, client }

/// A tracer that numbers its spans.
struct StandInTracer: Sendable {
    static let spans = Recorded<String>()

    func extract<Carrier, Extract: Extractor<Carrier>>(_ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract) {
        context.span = extractor.extract(key: "traceparent", from: carrier)
    }

    func inject<Carrier, Inject: Injector<Carrier>>(_ context: ServiceContext, into carrier: inout Carrier, using injector: Inject) {
        if let span = context.span { injector.inject(span, forKey: "traceparent", into: &carrier) }
    }
}

enum InstrumentationSystem {
    static var instrument: StandInTracer { StandInTracer() }
}

func withSpan<Result>(
    _ name: String, context: ServiceContext, ofKind kind: SpanKind, _ operation: (ServiceContext) async throws -> Result
) async throws -> Result {
    var own = context
    // A span of its own in the trace of its parent.
    own.span = context.span.flatMap { TraceContext(traceparent: $0) }?.child(UInt64(StandInTracer.spans.count + 1))?.traceparent
    StandInTracer.spans.append("\(kind) \(name) in \(context.span ?? "no trace")")
    return try await ServiceContext.$current.withValue(own) { try await operation(own) }
}
