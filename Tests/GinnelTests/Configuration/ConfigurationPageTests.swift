// docs/configuration.md and the table of keys say the same.

import Foundation
import Testing

@testable import Ginnel

@Suite struct ConfigurationPageTests {
    private static let page: String = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return (try? String(contentsOf: root.appendingPathComponent("docs/configuration.md"), encoding: .utf8)) ?? ""
    }()

    /// The cells of each row of the table below a heading.
    private static func rows(below heading: String) -> [[String]] {
        let section = page.components(separatedBy: "\n## ").first { $0.hasPrefix(heading) } ?? ""
        return section.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { row in
            row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    @Test func `the page lists every key with what it may hold, its default and its other name`() {
        let written = Self.rows(below: "Keys").map { Array($0.prefix(4)) }
        let known = ConfigurationKey.all.map { key in ["`\(key.name)`", key.rule.allowed, key.standard, key.alias.map { "`\($0.name)`" } ?? "–"] }
        #expect(written == known)
    }

    @Test func `the page lists every name of the other system, with what it means`() {
        let rows = Self.rows(below: "Names of another system")
        let known = ConfigurationKey.all.compactMap { key in key.alias.map { ("`\($0.name)`", "`\(key.name)`") } }
        #expect(Set(rows.map { $0[0] }) == Set(known.map(\.0)) && rows.count == known.count)
        for (alias, name) in known { #expect(rows.contains { $0[0] == alias && $0[2].hasPrefix(name) }, "\(alias) means \(name)") }
    }

    @Test func `a default of the page is allowed where it is one, and setting it changes nothing`() throws {
        for key in ConfigurationKey.all where key.standard != "none" {
            let parts = key.name.split(separator: ".")
            let text = parts.count == 2 ? "{\"\(parts[0])\": {\"\(parts[1])\": \(key.standard)}}" : "{\"\(key.name)\": \(key.standard)}"
            let file = try ConfigurationFile(parsing: Array(text.utf8), from: key.name)
            #expect("\(file.service())" == "\(ServiceConfiguration.defaults)", "\(key.name)")
        }
    }
}
