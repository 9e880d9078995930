import Findings
import Foundation
import Support
import Tensors

/// What the numbers of a computation depend on besides its inputs and threads: the programs and the kind of processor. Sums
/// of floating-point numbers are the same, bit for bit, where this is.
enum Machine {
    /// Before the confinement, under which a worker sees none of it.
    static let processor: String = {
        guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else {
            return "unknown"
        }
        // Of the first processor: what kernels are chosen by.
        let names = [
            "vendor_id", "cpu family", "model", "model name", "cache size", "flags", "CPU implementer",
            "CPU part",
            "CPU variant", "Features",
        ]
        let first = text.components(separatedBy: "\n\n").first ?? ""
        let lines = first.split(separator: "\n").filter { line in
            names.contains(
                line.split(separator: ":").first.map { $0.trimmingCharacters(in: .whitespaces) } ?? "")
        }
        return Digest.sha256(Data(lines.joined(separator: "\n").utf8)).prefix(8).hexadecimal
    }()

    /// The kinds of the machine's GPUs.
    private static var gpus: String {
        let folder = "/proc/driver/nvidia/gpus"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let models = names.compactMap { name in
            (try? String(contentsOfFile: "\(folder)/\(name)/information", encoding: .utf8))?
                .split(separator: "\n").first { $0.hasPrefix("Model:") }
                .map { $0.dropFirst("Model:".count).trimmingCharacters(in: .whitespaces) }
        }
        return Set(models).sorted().joined(separator: ", ")
    }

    /// - Parameter device: what the worker says that it computes on; nil for the processor.
    static func description(device: String?) throws -> String {
        let parts = [Engine.release, try LibTorch.runtimeVersion(), Engine.architecture, processor]
        return (parts + (device.map { [$0, gpus] } ?? [])).joined(separator: " ")
    }
}
