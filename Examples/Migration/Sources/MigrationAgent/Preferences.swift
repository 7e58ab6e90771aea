// What the service may set while an agent runs (CONFIGURATION_UPDATE).

import Ginnel
import Synchronization

final class Preferences: Sendable {
    private let percent = Mutex(10)

    /// After how many percent the service is told how far a backup is; 1 to 100, default 10.
    var reportEvery: Int { percent.withLock { $0 } }

    /// What came of it, for people.
    func set(_ update: Envelope.ConfigurationUpdate) -> String {
        guard update.key == "reportEvery" else { return "the service sets \(update.key), which I do not know" }
        guard case .integer(let value) = update.value, (1...100).contains(value) else { return "reportEvery is 1 to 100; it stays \(reportEvery)" }
        percent.withLock { $0 = Int(value) }
        return "reportEvery is now \(value)"
    }
}
