// A file's hash, and whether it is what somebody expects.

import Foundation
import Ginnel
import ProcessMonitorMessages

struct ExecutableCheck: Sendable {
    private let check: HashCheck
    /// Whether the file must be one that this user can run.
    private let mustRun: Bool

    init(_ check: HashCheck, mustRun: Bool) {
        self.check = check
        self.mustRun = mustRun
    }

    /// Without `hashValue` where the file cannot be hashed. Throws when the task is cancelled.
    func result() throws -> HashResult {
        var result = HashResult()
        result.filePath = check.executablePath
        result.algorithm = "sha256"
        if let fault {
            result.errorMessage = fault
            return result
        }
        do {
            result.hashValue = try ContentDigest(ofFile: check.executablePath).hexadecimal
        } catch let error as GinnelError {
            result.errorMessage = "\(check.executablePath) cannot be read: \(error.sentence)"
            return result
        }
        result.success = check.expectedHash.isEmpty || check.expectedHash.lowercased() == result.hashValue
        if !result.success { result.errorMessage = "Hash mismatch: expected \(check.expectedHash)" }
        return result
    }

    private var fault: String? {
        let algorithm = check.hashAlgorithm.lowercased().replacing("-", with: "")
        if !algorithm.isEmpty, algorithm != "sha256" { return "Unknown hash algorithm: \(check.hashAlgorithm)" }
        var isDirectory: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: check.executablePath, isDirectory: &isDirectory)
        if !exists || isDirectory.boolValue { return "\(check.executablePath) is no file" }
        if mustRun, !FileManager.default.isExecutableFile(atPath: check.executablePath) { return "\(check.executablePath) is not executable" }
        return nil
    }
}
