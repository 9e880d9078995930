import Foundation
import Support
import Synchronization

/// Shows how far a task is, on standard error: one line that redraws itself on a terminal, a line for
/// every step and every tenth of it elsewhere.
package final class ProgressDisplay: Sendable {
    private struct State {
        var label = ""
        var tenths = -1
        /// Something stands on the terminal's current line.
        var drawn = false
        var lastDrawn = ContinuousClock.Instant?.none
    }

    private let interactive: Bool
    private let width: Int
    private let write: @Sendable (String) -> Void
    private let state = Mutex(State())

    package init(interactive: Bool, width: Int = 80, write: @escaping @Sendable (String) -> Void) {
        self.interactive = interactive
        self.width = width
        self.write = write
    }

    /// On the process's standard error.
    package static func standardError() -> ProgressDisplay {
        let terminal = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
        var size = winsize()
        let known = terminal && ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return ProgressDisplay(interactive: terminal, width: known ? Int(size.ws_col) : 80) {
            FileHandle.standardError.offer(Data($0.utf8))
        }
    }

    /// - Parameters:
    ///   - fraction: 0 to 1, of the step named `label`.
    ///   - secondsLeft: in the whole task, where it is known.
    package func update(_ label: String, fraction: Double, secondsLeft: Double?) {
        let fraction = fraction.isFinite ? min(max(fraction, 0), 1) : 0
        state.withLock { state in
            let tenths = Int(fraction * 10)
            let changed = label != state.label
            if interactive {
                let now = ContinuousClock.now
                // Ten frames a second are enough for the eye and cost nothing.
                let recent = state.lastDrawn.map { now - $0 < .milliseconds(100) } ?? false
                if changed || fraction == 1 || !recent {
                    if changed, state.drawn { write("\n") }
                    write("\r\u{1B}[K" + Self.line(label, fraction, secondsLeft, width: width))
                    state.drawn = true
                    state.lastDrawn = now
                }
            } else if changed || tenths != state.tenths {
                write(Self.plain(label, fraction, secondsLeft) + "\n")
            }
            state.label = label
            state.tenths = tenths
        }
    }

    /// A line of its own, such as a message of the worker.
    package func note(_ text: String) {
        state.withLock { state in
            write((state.drawn ? "\r\u{1B}[K" : "") + text.inOneLine + "\n")
            state.drawn = false
        }
    }

    /// Leaves the bar where it stands and goes to a new line.
    package func finish() {
        state.withLock { state in
            if state.drawn { write("\n") }
            state.drawn = false
        }
    }

    static func line(_ label: String, _ fraction: Double, _ secondsLeft: Double?, width: Int) -> String {
        let percent = "\(Int(fraction * 100)) %"
        let tail = secondsLeft.map { "  " + duration($0) + " left" } ?? ""
        let head = label.padding(toLength: max(label.count, 24), withPad: " ", startingAt: 0)
        let room = width - 1 - head.count - 3 - 6 - tail.count
        guard room >= 10 else { return String("\(label) \(percent)\(tail)".prefix(max(width - 1, 1))) }
        let cells = min(room, 40)
        let full = Int((fraction * Double(cells)).rounded(.down))
        let bar = String(repeating: "#", count: full) + String(repeating: ".", count: cells - full)
        let shown = String(repeating: " ", count: max(0, 5 - percent.count)) + percent
        return "\(head) [\(bar)]\(shown)\(tail)"
    }

    static func plain(_ label: String, _ fraction: Double, _ secondsLeft: Double?) -> String {
        "\(label) \(Int(fraction * 100)) %" + (secondsLeft.map { ", \(duration($0)) left" } ?? "")
    }

    /// Such as `0:07`, `12:30` or `2:05:00`.
    package static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
        let total = Int(seconds.rounded(.up))
        let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
        let pad = { (value: Int) in value < 10 ? "0\(value)" : "\(value)" }
        return hours > 0 ? "\(hours):\(pad(minutes)):\(pad(rest))" : "\(minutes):\(pad(rest))"
    }
}
