// Requests about the conversation itself, how both sides speak, and the table of all requests.

public import Ginnel

public struct Pong: Tagged {
    public static let type = "pong"
    public init() {}
}

public struct Ping: RecorderRequest {
    public typealias Response = Pong
    public static let method = "ping"
    public init() {}
}

public struct Subscribed: Tagged {
    public static let type = "subscribed"
    public init() {}
}

/// From its reply on, `RecorderEvent`s arrive on this connection.
public struct SubscribeEvents: RecorderRequest {
    public typealias Response = Subscribed
    public static let method = "subscribe_events"
    public init() {}
}

/// The service answers and ends.
public struct Shutdown: RecorderRequest {
    public typealias Response = OK
    public static let method = "shutdown"
    public init() {}
}

public enum RecorderProtocol {
    /// Where the service listens: `$XDG_RUNTIME_DIR/omnirec/service.sock` on Linux.
    public static let endpoint = Endpoint.named("omnirec")

    /// For both sides. Events wait while a request is answered, since its sender takes the next message for the reply.
    public static let format = WireFormat.taggedJSON(pushTypes: [RecorderEvent.name], holdsEvents: true)

    /// Every request there is.
    public static let requests: [any RecorderRequest.Type] = [
        ListWindows.self, ListMonitors.self, ListAudioSources.self, StartWindowCapture.self, StartDisplayCapture.self, StartRegionCapture.self,
        StartPortalCapture.self, StopRecording.self, GetRecordingState.self, GetElapsedTime.self, SubscribeEvents.self, GetOutputFormat.self,
        SetOutputFormat.self, GetAudioConfig.self, SetAudioConfig.self, GetWindowThumbnail.self, GetDisplayThumbnail.self, GetRegionPreview.self,
        ShowDisplayHighlight.self, ShowWindowHighlight.self, ClearHighlight.self, QuerySelection.self, ValidateToken.self, StoreToken.self,
        GetTranscriptionConfig.self, SetTranscriptionConfig.self, GetTranscriptionStatus.self, GetTranscriptionSegments.self, Shutdown.self, Ping.self,
    ]
}
