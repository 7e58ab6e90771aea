// How long there and back takes, beside what the kernel alone takes for it, in the same run.

import Foundation
import Ginnel

extension Step {
    private static let size = 1_024
    private static let seconds = "0.5s"

    static let latency = Step(title: "There and back with 1 KiB, beside raw C that does nothing else") { stage, narrator in
        let allowed = Placement.allowed
        var rows: [Row] = []
        if let first = allowed.first {
            rows.append(try await row("both processes on one processor", first, first, stage))
            if allowed.count > 1 {
                let second = allowed[1]
                rows.append(try await row("on a processor each", first, second, stage))
                rows.append(try await row("the same, looking for work 50 µs before sleeping", first, second, stage, isLowLatency: true, floor: rows[1].floor))
            }
        } else {
            rows.append(try await row("where the system likes", nil, nil, stage))
        }
        let width = (rows.map(\.place.count).max() ?? 0) + 2
        narrator.say("\("median, µs".padded(to: width))\("raw C".padded(left: 9))\("Ginnel".padded(left: 9))\("ratio".padded(left: 8))\("p99".padded(left: 10))")
        for row in rows {
            narrator.say("\(row.place.padded(to: width))\(row.floor.text(9))\(row.median.text(9))\((row.median / row.floor).text(8))\(row.most.text(10))")
        }
        narrator.note("rows", .array(rows.map(\.description)))
        #if DEBUG
        narrator.say("this ginnel was built for debugging, which costs it a multiple; build it for release to see what it can do")
        #endif
        try require(rows.allSatisfy { $0.floor > 0 && $0.median > 0 }, "a figure is missing")
    }

    private struct Row {
        let place: String
        /// Microseconds.
        let floor: Double
        let median: Double
        let most: Double

        var description: JSONTree { ["placement": .text(place), "floor_us": .number(floor), "p50_us": .number(median), "p99_us": .number(most), "ratio": .number(median / floor)] }
    }

    /// Measures both, each in processes of its own; a floor that is known already is not measured again.
    private static func row(
        _ place: String, _ first: Int?, _ second: Int?, _ stage: Stage, isLowLatency: Bool = false, floor known: Double? = nil
    ) async throws -> Row {
        func pin(_ option: String, _ processor: Int?) -> [String] { processor.map { ["--\(option)", "\($0)"] } ?? [] }
        let work = ["--size", "\(size)", "--seconds", seconds, "--json"]
        let floor: Figures
        if let known { floor = Figures(median: known, most: 0) } else { floor = try await figures(["demo-floor"] + work + pin("first", first) + pin("second", second)) }
        let path = stage.directory + "/latency.sock"
        let lowLatency = isLowLatency ? ["--low-latency"] : []
        let service = try Child(["serve-echo", path, "--tick", "0", "--json"] + lowLatency + pin("cpu", first))
        do {
            // Its first line says that it listens.
            for await _ in service.lines { break }
            let figures = try await figures(["bench", path] + work + lowLatency + pin("cpu", second))
            await service.end()
            return Row(place: place, floor: floor.median, median: figures.median, most: figures.most)
        } catch {
            await service.end()
            throw error
        }
    }

    /// Microseconds.
    private struct Figures: Decodable {
        var median: Double
        var most: Double

        enum CodingKeys: String, CodingKey {
            case median = "p50_us"
            case most = "p99_us"
        }
    }

    private static func figures(_ arguments: [String]) async throws -> Figures {
        let child = try Child(arguments)
        var last = ""
        for await line in child.lines { last = line }
        _ = await child.status(within: .seconds(5))
        guard let figures = try? JSONDecoder().decode(Figures.self, from: Data(last.utf8)) else {
            throw Trouble(.failed, code: "demo", "\(arguments[0]) measured nothing: \(last)")
        }
        return figures
    }
}

extension Double {
    /// With two decimals, in a column.
    fileprivate func text(_ width: Int) -> String { String(format: "%.2f", self).padded(left: width) }
}
