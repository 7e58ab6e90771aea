// A program from its start to its end. When it is killed the world takes no further notice of it: its connections break, its disk takes nothing more, what it reports is not written down. What is left of it runs down
// unseen, which gives back its memory and shows that a program that is cancelled ends.

/// `@unchecked Sendable`: one thread touches it.
final class Life: @unchecked Sendable {
    /// Whose task this is.
    @TaskLocal static var current: Life?

    /// Which start of its program it is, from 0.
    let number: Int
    private(set) var isAlive = true
    /// It was asked to end, and does so in its own time.
    var isLeaving = false
    private(set) var hasEnded = false
    private var task: Task<Void, Never>?

    init(_ number: Int) { self.number = number }

    func begin(_ body: @escaping @Sendable (Life) async -> Void) {
        task = Task {
            await Life.$current.withValue(self) { await body(self) }
            hasEnded = true
        }
    }

    func die() {
        isAlive = false
        task?.cancel()
    }
}
