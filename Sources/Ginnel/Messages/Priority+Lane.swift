internal import GinnelCore

extension Priority {
    var lane: Lane {
        switch self {
        case .high: .high
        case .normal: .normal
        case .low: .low
        }
    }

    init(_ lane: Lane) {
        switch lane {
        case .control, .high: self = .high
        case .normal: self = .normal
        case .low: self = .low
        }
    }
}
