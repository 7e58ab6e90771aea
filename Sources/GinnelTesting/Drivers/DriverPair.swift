// A client's and a service's driver that talk to each other over any two connected channels.

package import GinnelCore
package import GinnelTransport

package struct DriverPair: Sendable {
    package let client: DriverEnd
    package let service: DriverEnd

    /// Opens both; the handshake goes on when this returns.
    package init(
        _ channels: (client: any Channel, service: any Channel), clientLoop: EventLoop, serviceLoop: EventLoop,
        client: NativeConfiguration = .plain(), service: NativeConfiguration = .plain(), respond: @escaping DriverEnd.Responder = DriverEnd.echo
    ) async throws {
        self.service = try await DriverEnd.open(
            channels.service, NativeSession(role: .service, service), timeouts: service.timeouts, role: .service, on: serviceLoop, respond: respond)
        self.client = try await DriverEnd.open(
            channels.client, NativeSession(role: .client, client), timeouts: client.timeouts, role: .client, on: clientLoop)
    }

    /// Ends the client's side and waits until both have ended.
    package func close() async throws {
        client.driver.submit(.close(Failure(.shuttingDown, "the test is over")))
        _ = try await client.ending
        _ = try await service.ending
    }
}
