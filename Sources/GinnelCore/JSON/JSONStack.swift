// The objects and arrays that are open, with the keys that each open object has so far.
//
// Most objects have few keys, and comparing them one by one costs no memory of their own. From the thirteenth on an object keeps a set, whose hash is
// seeded anew in every process, so that nobody can send keys that collide and a text with n keys takes time in proportion to n.

struct JSONStack {
    private struct Container {
        let isObject: Bool
        /// Where its keys begin in `keys`.
        let firstKey: Int
        var set: Set<JSONText>?
    }

    private static let fewKeys = 12
    private var containers: [Container] = []
    /// The keys of objects without a set, the innermost object's last.
    private var keys: [JSONText] = []

    var depth: Int { containers.count }

    /// Whether the innermost is an object; `nil` when nothing is open.
    var isObject: Bool? { containers.last?.isObject }

    mutating func push(isObject: Bool) {
        containers.append(Container(isObject: isObject, firstKey: keys.count))
    }

    mutating func pop() {
        guard let container = containers.popLast() else { return }
        keys.removeLast(keys.count - container.firstKey)
    }

    /// A key of the innermost object; false when it has that key already.
    mutating func insert(_ key: JSONText) -> Bool {
        let index = containers.count - 1
        if let inserted = containers[index].set?.insert(key).inserted { return inserted }
        let firstKey = containers[index].firstKey
        for other in keys[firstKey...] where other == key { return false }
        keys.append(key)
        if keys.count - firstKey > Self.fewKeys {
            containers[index].set = Set(keys[firstKey...])
            keys.removeLast(keys.count - firstKey)
        }
        return true
    }
}
