// Memory that the members of a loop share, since one of them works at a time.

package import GinnelCore

/// Memory that the members of a loop share; loop only.
package final class LoopScratch {
    package let readBuffer: UnsafeMutableRawBufferPointer
    @exclusivity(unchecked) package var output = OutputBuffer()
    @exclusivity(unchecked) package var actions: [Action] = []

    /// `readSize`: what one read takes at most.
    init(readSize: Int) { readBuffer = .allocate(byteCount: readSize, alignment: 64) }

    deinit { readBuffer.deallocate() }
}
