// The messages of the headered format as Swift types (docs/formats/headered.md). Their members have the format's own names on the wire.

/// Requests, answers and one-way messages of `WireFormat.headered`.
///
///     service.handle(Headered.AskRequest.self) { request, context in
///         Headered.AskResponse(answer: try await model.answer(request.query), confidence: 1)
///     }
public enum Headered {}
