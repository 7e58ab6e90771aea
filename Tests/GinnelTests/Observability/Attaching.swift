import Ginnel

extension Log {
    /// Everything goes to a logger of swift-log, which decides what it keeps.
    static func through(_ logger: Logger) -> Log {
        Log(level: .debug) { level, message, metadata in
            logger.log(level: .init(rawValue: "\(level)") ?? .warning, "\(message)", metadata: metadata.mapValues { .string($0) })
        }
    }
}

extension Instruments {
    /// Each call is a duration of swift-metrics, and each async handler a span of swift-distributed-tracing whose calls are its children.
    static var attached: Instruments {
        var instruments = Instruments()
        instruments.callEnded = { call in
            let outcome = call.failure.map { "\($0)" } ?? "ok"
            let timer = Timer(label: "ginnel_calls", dimensions: [("direction", call.direction.rawValue), ("method", call.method), ("outcome", outcome)])
            timer.recordNanoseconds(Int64(call.duration / .nanoseconds(1)))
        }
        instruments.around = { call, handler in
            var context = ServiceContext.topLevel
            if let trace = call.trace { InstrumentationSystem.instrument.extract(trace, into: &context, using: TraceReader()) }
            try await withSpan(call.method, context: context, ofKind: .server) { _ in try await handler() }
        }
        instruments.trace = {
            guard let context = ServiceContext.current else { return nil }
            var trace: TraceContext?
            InstrumentationSystem.instrument.inject(context, into: &trace, using: TraceWriter())
            return trace
        }
        return instruments
    }
}

/// How a tracer reads a trace context.
struct TraceReader: Extractor {
    func extract(key: String, from trace: TraceContext) -> String? { key == "traceparent" ? trace.traceparent : key == "tracestate" ? trace.tracestate : nil }
}

/// How it writes one, `traceparent` first.
struct TraceWriter: Injector {
    func inject(_ value: String, forKey key: String, into trace: inout TraceContext?) {
        switch key {
        case "traceparent": trace = TraceContext(traceparent: value)
        case "tracestate": trace = trace.flatMap { TraceContext(traceparent: $0.traceparent, tracestate: value) }
        default: break
        }
    }
}
