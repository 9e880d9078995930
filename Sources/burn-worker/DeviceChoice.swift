import Foundation
import Support
import Tensors
import WorkerProtocol

/// Brings a task's compute device into use, in the two steps that the confinement lies between.
struct DeviceChoice {
    private let wanted: ComputeDevice
    /// Why the GPU cannot be used; nil once its libraries are loaded.
    private var obstacle: (any Error)?

    /// Loads the GPU's libraries: what they need to be opened for is no longer there once the process is confined.
    /// - Throws: `Problem` `device-unavailable` where the task asks for a GPU and the machine has none to offer.
    init(of task: WorkerTask) throws {
        wanted = task.device ?? .cpu
        guard wanted != .cpu else { return }
        do {
            guard FileManager.default.fileExists(atPath: "/dev/nvidiactl") else { throw NoDriver() }
            try CUDA.load()
        } catch {
            obstacle = error
        }
        if wanted != .auto, let obstacle { throw Self.problem(obstacle) }
    }

    private struct NoDriver: Error, CustomStringConvertible {
        var description: String {
            "there is no /dev/nvidiactl: the NVIDIA driver is not loaded, or not in this container"
        }
    }

    /// Whether there is a GPU's driver, with its libraries.
    var isGPU: Bool { wanted != .cpu && obstacle == nil }

    /// Computes on the GPU from here on, where the task wants it. Gives a line for the log; nil on the processor.
    func use() throws -> String? {
        guard wanted != .cpu else { return nil }
        do {
            if let obstacle { throw obstacle }
            let isTF32 = wanted == .cudaTF32
            return "computes on \(try CUDA.use(tf32: isTF32))\(isTF32 ? ", convolutions in TF32" : "")"
        } catch {
            guard wanted == .auto else { throw Self.problem(error) }
            return "computes on the processor: \(error)"
        }
    }

    private static func problem(_ error: any Error) -> Problem {
        Problem(
            .unprocessable, code: "device-unavailable", title: "There is no GPU that the worker can use",
            detail: String(describing: error), location: "device",
            fix: "Set the device to cpu or auto, or install the NVIDIA driver and a PyTorch with CUDA.")
    }
}
