// What the runs of a simulation are meant to come upon; a test sees that they do.

package enum SimulatedOccurrence: String, CaseIterable, Sendable {
    case messageSentAgain, messageHandledInTwoInstances, messageKnownToTheInbox, messageGivenUp, messageRefusedByTheOutbox, messageCameBackFromTheDisk
    case noWindow, senderWaitedForRoom, storeFailed, chunksCut, secondConnection, senderDied, serviceDied, wakeUpLost, connectionFellSilent, callFailed
}
