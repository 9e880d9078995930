import Foundation
import Support

/// The cluster's nodes, as they were read last.
final class SlurmNodes: Sendable {
    typealias Seen = (nodes: [SlurmExecutor.Status.Nodes], at: Date)

    private struct State {
        var seen: Seen?
        var asked: ContinuousClock.Instant?
    }

    /// Between two looks.
    private static let pause: Duration = .seconds(10)
    /// Less than for other questions: what is shown gets older meanwhile, and nothing else.
    private static let patience: Duration = .seconds(10)

    private let commands: SlurmCommands
    private let partition: String?
    private let state = Mutex(State())

    init(commands: SlurmCommands, partition: String?) {
        self.commands = commands
        self.partition = partition
    }

    /// Nil before the first look.
    var seen: Seen? { state.withLock { $0.seen } }

    /// Asks again when it is time to. Blocks.
    func refresh() {
        let isDue = state.withLock { state in
            if let asked = state.asked, .now - asked < Self.pause { return false }
            state.asked = .now
            return true
        }
        guard isDue, let lines = ask("%P|%T|%D") else { return }
        let found = lines.compactMap { fields -> SlurmExecutor.Status.Nodes? in
            guard fields.count == 3, let count = Int(fields[2]) else { return nil }
            return .init(partition: fields[0], state: fields[1], count: count)
        }
        let now = Date()
        state.withLock { $0.seen = (found, now) }
    }

    /// Whether Slurm has given up a node, or gets no answer from it now. Blocks.
    /// - Returns: the node's state, where that is so.
    func failure(of node: String) -> String? {
        let states = ask("%T", ["--nodes=\(node)"], all: true)?.compactMap(\.first) ?? []
        return states.first { state in
            state.hasSuffix("*") || ["down", "fail", "error", "unknown"].contains { state.hasPrefix($0) }
        }
    }

    /// Whether a node that is out of use now, for maintenance or another reason that may pass, has so much of both. Blocks.
    func isAbsent(processors: Int, memoryBytes: Int) -> Bool {
        let lines = ask("%T|%c|%m", ["--Node"]) ?? []
        return lines.contains { fields in
            guard fields.count == 3, let count = Self.number(fields[1]),
                let mebibytes = Self.number(fields[2])
            else { return false }
            let isOut =
                fields[0].hasSuffix("*") || fields[0].hasSuffix("$")
                || [
                    "down", "drain", "fail", "error", "unknown", "maint", "reserved", "boot", "reboot",
                    "power", "planned", "future", "blocked",
                ].contains { fields[0].hasPrefix($0) }
            return isOut && count >= processors && mebibytes >= memoryBytes >> 20
        }
    }

    /// `4000`, or `4000+` of unlike nodes.
    private static func number(_ text: String) -> Int? { Int(text.prefix { $0.isASCII && $0.isNumber }) }

    /// - Parameter all: whether of all partitions.
    /// - Returns: the fields of each line; nil where the controller does not answer.
    private func ask(_ format: String, _ further: [String] = [], all: Bool = false) -> [[String]]? {
        var arguments = ["--noheader", "--format=\(format)"] + further
        if let partition, !all { arguments.append("--partition=\(partition)") }
        let output = commands.run("sinfo", arguments, patience: Self.patience)
        guard output.isSuccess else { return nil }
        return output.text.split(separator: "\n").map { line in
            line.split(separator: "|").map(String.init)
        }
    }
}
