// The thirty requests and who answers them. What is no request of its type, or breaks a rule, is answered with "Invalid request: …"; what cannot be done, with why; the connection stays.

import Ginnel
import RecorderMessages

extension FailureCode {
    /// The recorder does not do it. On the wire there are only sentences.
    static let recorder = FailureCode(rawValue: 1001)
}

extension Service {
    /// A service of this recorder, without its endpoint's policy.
    convenience init(_ recorder: Recorder, at endpoint: Endpoint, policy: PeerPolicy, events shape: EventShape, configuration: ServiceConfiguration = .defaults) {
        self.init(at: endpoint, format: RecorderProtocol.format, policy: policy, configuration: configuration)
        answerAboutSources(recorder)
        answerAboutRecording(recorder)
        answerAboutPictures(recorder)
        answerAboutSettings(recorder)
        answerAboutSelection(recorder)

        answer(Ping.self) { _, _ in Pong() }
        answer(SubscribeEvents.self) { _, context in
            let connection = context.connection
            await recorder.subscribe(ObjectIdentifier(connection)) { event in (try? connection.send(ShapedEvent(event, as: shape))) == true }
            return Subscribed()
        }
        answer(Shutdown.self) { [weak self] _, _ in
            await recorder.emit(.shutdown)
            // The request in hand is still answered.
            self?.beginGracefulShutdown()
            return OK()
        }
    }

    private func answer<R: RecorderRequest>(_ type: R.Type, _ body: @escaping @Sendable (R, CallContext) async throws -> R.Response) {
        // Not on the connection's loop: pictures take their time.
        handle(R.method, on: .concurrent) { (bytes: [UInt8], context: CallContext) async throws -> [UInt8] in
            let request = try R(checking: bytes)
            do {
                return try await body(request, context).encoded()
            } catch let error as RecorderError {
                throw CallError(.recorder, error.description)
            }
        }
    }

    private func answerAboutSources(_ recorder: Recorder) {
        answer(ListWindows.self) { _, _ in Windows(windows: await recorder.windows) }
        answer(ListMonitors.self) { _, _ in Monitors(monitors: Desktop.monitors) }
        answer(ListAudioSources.self) { _, _ in
            AudioSources(sources: [AudioSource(id: "pattern.speaker", name: "The pattern, counting seconds", sourceType: .output)])
        }
    }

    private func answerAboutRecording(_ recorder: Recorder) {
        answer(StartWindowCapture.self) { request, _ in
            try await recorder.start(window: request.windowHandle)
            return RecordingStarted()
        }
        answer(StartDisplayCapture.self) { request, _ in
            try await recorder.startDisplay(request.monitorId, width: request.width, height: request.height)
            return RecordingStarted()
        }
        answer(StartRegionCapture.self) { request, _ in
            try await recorder.startRegion(request.monitorId, x: request.x, y: request.y, width: request.width, height: request.height)
            return RecordingStarted()
        }
        answer(StartPortalCapture.self) { _, _ in
            try await recorder.startSelected()
            return RecordingStarted()
        }
        answer(StopRecording.self) { _, _ in try await recorder.stop() }
        answer(GetRecordingState.self) { _, _ in RecordingState(state: await recorder.phase) }
        answer(GetElapsedTime.self) { _, _ in ElapsedTime(seconds: await recorder.elapsed) }
    }

    private func answerAboutPictures(_ recorder: Recorder) {
        answer(GetWindowThumbnail.self) { request, _ in try await recorder.thumbnail(window: request.windowHandle) }
        answer(GetDisplayThumbnail.self) { request, _ in try await recorder.thumbnail(display: request.monitorId) }
        answer(GetRegionPreview.self) { request, _ in
            try await recorder.preview(request.monitorId, x: request.x, y: request.y, width: request.width, height: request.height)
        }
        answer(ShowDisplayHighlight.self) { request, _ in
            await recorder.highlight(Rectangle(x: Int(request.x), y: Int(request.y), width: Int(request.width), height: Int(request.height)))
            return OK()
        }
        answer(ShowWindowHighlight.self) { request, _ in
            try await recorder.highlight(window: request.windowHandle)
            return OK()
        }
        answer(ClearHighlight.self) { _, _ in
            await recorder.clearHighlight()
            return OK()
        }
    }

    private func answerAboutSettings(_ recorder: Recorder) {
        answer(GetOutputFormat.self) { _, _ in OutputFormat(format: await recorder.format) }
        answer(SetOutputFormat.self) { request, _ in
            try await recorder.setFormat(request.format)
            return OK()
        }
        answer(GetAudioConfig.self) { _, _ in await recorder.audio }
        answer(SetAudioConfig.self) { request, _ in
            await recorder.setAudio(request.config)
            return OK()
        }
        answer(GetTranscriptionConfig.self) { _, _ in await recorder.transcriptionConfig }
        answer(SetTranscriptionConfig.self) { request, _ in
            await recorder.setTranscription(TranscriptionConfig(enabled: request.enabled, modelPath: request.modelPath))
            return OK()
        }
        answer(GetTranscriptionStatus.self) { _, _ in await recorder.transcriptionStatus }
        answer(GetTranscriptionSegments.self) { request, _ in await recorder.transcript(since: request.sinceIndex) }
    }

    private func answerAboutSelection(_ recorder: Recorder) {
        answer(QuerySelection.self) { _, _ in await recorder.selection }
        answer(ValidateToken.self) { request, _ in recorder.token.verdict(on: request.token) }
        answer(StoreToken.self) { request, _ in
            do {
                try recorder.token.write(request.token)
            } catch {
                throw RecorderError("The approval token cannot be stored: \(error)")
            }
            return TokenStored()
        }
    }
}
