// `ginnel metrics`: what a service has counted, for Prometheus or as JSON.

import Ginnel

extension Command {
    static let metrics = Command(
        name: "metrics", summary: "print what a service has counted, as Prometheus reads it",
        operands: [.endpoint],
        options: [Invocation.expectation, Invocation.key],
        notes: [
            "Text in the exposition format of Prometheus. With --json the whole answer of ginnel.metrics, which says more: each peer, and durations in finer buckets.",
            "A service that speaks another format is asked at its control endpoint.",
        ],
        examples: ["ginnel metrics recorder", "ginnel metrics recorder > /var/lib/node_exporter/recorder.prom"]
    ) { invocation in
        let output = invocation.output
        return try await invocation.asking { client in
            let (snapshot, text) = try await client.ask("ginnel.metrics", MetricsSnapshot.self)
            // Lines end in line feeds, which `say` adds to the last.
            output.say(String(snapshot.prometheusText.dropLast()))
            output.emit(["type": "metrics", "value": .verbatim(JSONLayout.compact(text))])
            return .done
        }
    }
}
