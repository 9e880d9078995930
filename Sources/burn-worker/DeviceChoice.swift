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
            if let gpu = task.gpu, let count = try? Self.gpus(), count > 0,
                getenv("CUDA_VISIBLE_DEVICES") == nil
            {
                setenv("CUDA_VISIBLE_DEVICES", "\(gpu % count)", 1)
            }
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

    /// Devices are /dev/nvidia0 and so on.
    private static func gpus() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/dev").count { name in
            name.hasPrefix("nvidia") && Int(name.dropFirst("nvidia".count)) != nil
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
