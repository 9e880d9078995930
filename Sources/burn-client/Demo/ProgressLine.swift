import Foundation
import Support
import Synchronization

/// One line of progress: redrawn in place on a terminal, written once per step elsewhere.
final class ProgressLine: Sendable {
    private struct Step {
        var name = ""
        var started = ContinuousClock.now

        var seconds: Double { (ContinuousClock.now - started) / .seconds(1) }
    }

    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let step = Mutex(Step())

    /// - Parameter fraction: 0 to 1, or nil while it is not known.
    func show(_ name: String, fraction: Double?) {
        step.withLock { step in
            if name != step.name {
                end(&step)
                step = Step(name: name)
            }
            guard isTerminal else { return }
            var text = "\r\u{1B}[K  \(name.padding(toLength: 34, withPad: " ", startingAt: 0))"
            if let fraction {
                let filled = Int((min(max(fraction, 0), 1) * 30).rounded(.down))
                text +=
                    "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: 30 - filled)
                    + "]"
                text += String(format: " %3.0f %%", fraction * 100)
            }
            write(text + String(format: "  %.0f s", step.seconds))
        }
    }

    /// Ends the running step and leaves its time standing.
    func end() { step.withLock { end(&$0) } }

    private func end(_ step: inout Step) {
        guard !step.name.isEmpty else { return }
        let name = step.name.padding(toLength: 34, withPad: " ", startingAt: 0)
        write((isTerminal ? "\r\u{1B}[K" : "") + "  \(name)\(String(format: "%7.1f s", step.seconds))\n")
        step.name = ""
    }

    private func write(_ text: String) {
        FileHandle.standardError.offer(Data(text.utf8))
    }
}
