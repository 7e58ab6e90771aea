// Memory that the members of a loop share, since one of them works at a time.

package import GinnelCore

/// Memory that the members of a loop share; loop only.
package final class LoopScratch {
    /// What one read takes at most.
    package static let readSize = 256 * 1024

    package let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: LoopScratch.readSize, alignment: 64)
    @exclusivity(unchecked) package var output = OutputBuffer()
    @exclusivity(unchecked) package var actions: [Action] = []

    init() {}

    deinit { readBuffer.deallocate() }
}
