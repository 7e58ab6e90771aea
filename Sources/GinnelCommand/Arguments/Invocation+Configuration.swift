// The configuration file of an invocation: `--config FILE`, or the one that GINNEL_CONFIG names.

import Ginnel

extension Invocation {
    /// An empty one when none is named.
    func configurationFile() throws(UsageError) -> ConfigurationFile { try Self.configurationFile(options) }

    static func configurationFile(_ options: [String: String]) throws(UsageError) -> ConfigurationFile {
        do {
            let file = try options["config"].map { try ConfigurationFile.read($0) } ?? ConfigurationFile.fromEnvironment() ?? .empty
            _ = try Engine.chosen(configured: file.engine)
            return file
        } catch let error as GinnelError {
            throw UsageError(sentence: error.sentence, remedy: "set or unset \(Engine.variable)")
        } catch {
            throw UsageError(sentence: "\(error)".harmless, remedy: "docs/configuration.md lists the keys and what they may hold")
        }
    }
}
