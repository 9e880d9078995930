import Foundation
import Support

/// Where commands write for people: what others wrote moves no cursor and colours nothing.
enum Terminal {
    /// A line, or several, on standard error.
    static func note(_ text: String) {
        FileHandle.standardError.offer(Data((text.withoutEscapes + "\n").utf8))
    }
}

/// Instead of the standard library's, in this whole program.
func print(_ text: String) {
    FileHandle.standardOutput.offer(Data((text.withoutEscapes + "\n").utf8))
}
