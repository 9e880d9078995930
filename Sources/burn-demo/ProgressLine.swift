import Foundation

/// One line of progress: redrawn in place on a terminal, written once per step elsewhere.
struct ProgressLine {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var step = ""
    private var started = ContinuousClock.now

    /// - Parameter fraction: 0 to 1, or nil while it is not known.
    mutating func show(_ name: String, fraction: Double?) {
        if name != step { begin(name) }
        guard isTerminal else { return }
        var text = "\r\u{1B}[K  \(name.padding(toLength: 34, withPad: " ", startingAt: 0))"
        if let fraction {
            let filled = Int((min(max(fraction, 0), 1) * 30).rounded(.down))
            text +=
                "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: 30 - filled) + "]"
            text += String(format: " %3.0f %%", fraction * 100)
        }
        write(text + String(format: "  %.0f s", seconds))
    }

    /// Ends the running step and leaves its time standing.
    mutating func end() {
        guard !step.isEmpty else { return }
        let name = step.padding(toLength: 34, withPad: " ", startingAt: 0)
        write((isTerminal ? "\r\u{1B}[K" : "") + "  \(name)\(String(format: "%7.1f s", seconds))\n")
        step = ""
    }

    private mutating func begin(_ name: String) {
        end()
        step = name
        started = .now
    }

    private var seconds: Double { (ContinuousClock.now - started) / .seconds(1) }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
