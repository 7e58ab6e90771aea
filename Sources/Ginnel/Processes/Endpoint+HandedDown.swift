// How a sidecar learns where to meet its parent: a variable of its environment.

public import GinnelTransport

extension Endpoint {
    /// The name of the variable.
    public static let handedDownVariable = "GINNEL_ENDPOINT"

    /// Where the program that started this one wants to meet it (`Sidecar`): an inherited channel, or a place to listen at; `nil` when nothing was handed down. Programs that this one starts
    /// inherit the variable, unless it is given another value, but not the channel.
    public static var handedDown: Endpoint? {
        guard let text = System.environment(handedDownVariable), !text.isEmpty else { return nil }
        let prefix = "inherited:"
        if text.hasPrefix(prefix), let descriptor = Int(text.dropFirst(prefix.count)) { return .inherited(descriptor) }
        return Endpoint(text)
    }

    /// Where a sidecar's channel is, by the contract of the platform.
    static let channelHandedDown = "inherited:3"
}
