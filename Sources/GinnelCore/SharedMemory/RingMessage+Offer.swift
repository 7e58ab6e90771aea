// What a client makes of an offer, the same whether it came in a frame or on the socket of a bare stream.

/// Why an offer is not taken. The code goes to the peer with the refusal.
package struct OfferRefusal: Error, Equatable {
    package let failure: Failure
}

extension RingMessage {
    /// The rings that this offer is about.
    ///
    /// - Parameter limit: bytes of the largest ring that is taken.
    package func offeredGeometry(upTo limit: Int) throws(OfferRefusal) -> RingGeometry {
        guard value <= limit else {
            throw OfferRefusal(failure: Failure(.resourceExhausted, "a ring of \(value) bytes, over the limit of \(limit) (sharedMemory.maximumRingBytes)"))
        }
        guard let geometry = RingGeometry(capacity: Int(value)) else {
            throw OfferRefusal(failure: Failure(.protocolViolation, "a ring of \(value) bytes, which is no power of two from 64 to 2^30"))
        }
        return geometry
    }
}
