import Foundation

extension FileHandle {
    /// Writes to a stream that people or other programs read. Where nobody does any more (a closed pipe, `| head`), the rest is
    /// lost, which is meant: `write(_:)` would end the program by a trap, and `throw` a finished job.
    public func offer(_ data: Data) {
        try? write(contentsOf: data)
    }
}
