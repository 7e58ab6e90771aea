// What is counted beside calls, in one table. To count something new, add a case and its row: the snapshot, `ginnel.metrics` and the Prometheus text have it from here.

/// A number without labels.
enum Measure: Int, CaseIterable, Sendable {
    case connectionsOpened
    case reconnects
    case fallbacks
    case reads
    case bytesRead
    case writes
    case bytesWritten
    case messagesWritten
    case eventsReceived
    case eventsSent
    case eventsMissed
    case messagesReceived
    case messagesRedelivered
    case messagesSent
    case messagesSentAgain
    case messagesAcknowledged
    case messagesGivenUp
    case loopsHeldUp
    case callsInFlight
    case bytesWaiting
    case messagesPerWrite

    enum Kind {
        /// Only grows.
        case counter
        /// Goes up and down.
        case gauge
    }

    var about: (kind: Kind, name: String, help: String) {
        switch self {
        case .connectionsOpened: (.counter, "connections_opened_total", "Connections that were let in or made.")
        case .reconnects: (.counter, "reconnects_total", "Times that a client has set out to connect again.")
        case .fallbacks: (.counter, "shared_memory_fallbacks_total", "Connections that wanted shared memory and stayed on the socket.")
        case .reads: (.counter, "reads_total", "Reads that gave bytes.")
        case .bytesRead: (.counter, "read_bytes_total", "Bytes read from peers.")
        case .writes: (.counter, "writes_total", "Writes that took bytes.")
        case .bytesWritten: (.counter, "written_bytes_total", "Bytes written to peers.")
        case .messagesWritten: (.counter, "messages_written_total", "Messages handed to writing whole: requests, answers, items, events.")
        case .eventsReceived: (.counter, "events_received_total", "Events that peers have sent.")
        case .eventsSent: (.counter, "events_sent_total", "Events taken to be sent, one for each peer.")
        case .eventsMissed: (.counter, "events_missed_total", "Events that peers say they dropped before they could send them here.")
        case .messagesReceived: (.counter, "messages_received_total", "Acknowledged messages that have come, repeated ones included.")
        case .messagesRedelivered: (.counter, "messages_redelivered_total", "Messages handed to the program that an earlier instance may have had.")
        case .messagesSent: (.counter, "messages_sent_total", "Messages that were given to the outbox.")
        case .messagesSentAgain: (.counter, "messages_sent_again_total", "Times that a message was sent again on another connection.")
        case .messagesAcknowledged: (.counter, "messages_acknowledged_total", "Messages that their receiver has dealt with.")
        case .messagesGivenUp: (.counter, "messages_given_up_total", "Messages that were refused for good, dropped for newer ones or could not be kept.")
        case .loopsHeldUp: (.counter, "loops_held_up_total", "Times that a handler or task held its loop longer than reportAfter.")
        case .callsInFlight: (.gauge, "calls_in_flight", "Calls of peers whose async handlers run.")
        case .bytesWaiting: (.gauge, "waiting_bytes", "Bytes that wait to be sent to peers.")
        case .messagesPerWrite: (.gauge, "messages_per_write", "Messages that left with one write, on average since the start: how well small ones are gathered.")
        }
    }
}

/// A counter with the label `reason`, for what happens seldom. Its reasons are names of codes, of which there are few.
enum Tally: Int, CaseIterable, Sendable {
    case refusals
    case connectionsEnded

    var about: (name: String, help: String) {
        switch self {
        case .refusals: ("refusals_total", "Connections and calls that were refused, by reason.")
        case .connectionsEnded: ("connections_ended_total", "Connections that have ended, by reason.")
        }
    }
}
