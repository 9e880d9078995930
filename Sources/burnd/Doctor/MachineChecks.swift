import Foundation
import Sandbox
import WorkerProtocol

/// Processors, memory, kernel, graphics card.
struct MachineChecks {
    let configuration: Configuration

    func all() -> [Diagnosis] { [cores(), instructions(), memory(), sandbox(), graphics(), descriptors()] }

    private func cores() -> Diagnosis {
        let count = ProcessInfo.processInfo.activeProcessorCount
        let finding = "\(count) for this process, \(configuration.slots) jobs at the same time"
        guard count >= configuration.slots else {
            return .note("processors", finding, "Set slots to \(count) or less: jobs share what there is.")
        }
        return .ok("processors", finding)
    }

    /// What the tensor library's kernels are written for.
    private func instructions() -> Diagnosis {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("flags") || $0.hasPrefix("Features") }
        let flags = Set((line ?? "").split(whereSeparator: \.isWhitespace).map(String.init))
        let vectors = ["avx512f", "avx2", "asimd"].first { flags.contains($0) }
        let halves = ["amx_bf16", "avx512_bf16", "avx_ne_convert", "bf16"].first { flags.contains($0) }
        let finding =
            "\(vectors ?? "no wide vectors"), \(halves.map { "bf16 by \($0)" } ?? "no bf16 in hardware")"
        guard vectors != nil else {
            return .note(
                "instructions", finding, "Jobs run, several times slower. Use a processor with AVX2.")
        }
        return .ok("instructions", finding)
    }

    private func memory() -> Diagnosis {
        let total = Int(clamping: ProcessInfo.processInfo.physicalMemory)
        let free = Self.availableMemory ?? total
        let finding = "\(ByteSize.short(free)) free of \(ByteSize.short(total))"
        if let limit = configuration.limits.workerMemory, limit > total / configuration.slots {
            return .note(
                "memory", finding + ", limits.worker_memory is \(ByteSize.short(limit))",
                "Set limits.worker_memory below \(ByteSize.short(total / configuration.slots)): the kernel kills what goes beyond."
            )
        }
        guard free >= 2 << 30 else {
            return .note("memory", finding, "Small networks need about 1 GiB, large ones 8 GiB and more.")
        }
        return .ok("memory", finding)
    }

    private static var availableMemory: Int? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
            let number = line.split(separator: " ").dropFirst().first, let kibibytes = Int(number)
        else { return nil }
        return kibibytes * 1024
    }

    private func sandbox() -> Diagnosis {
        let report = SandboxReport.probe()
        guard !report.missing.isEmpty else {
            guard configuration.sandbox != .off else {
                return .note("sandbox", "there, and turned off", "Set sandbox: preferred, or required.")
            }
            return .ok("sandbox", "landlock \(report.landlock), system call filter, no new privileges")
        }
        let finding = "missing: " + report.missing.joined(separator: "; ")
        let advice =
            "Use Linux 5.13 or newer with landlock among its security modules, and a container that lets seccomp through."
        return configuration.sandbox == .required
            ? .fault(
                "sandbox", finding + " (sandbox: required)", advice + " Or accept less: sandbox: preferred.")
            : .note("sandbox", finding, advice)
    }

    private func graphics() -> Diagnosis {
        let hasDriver = FileManager.default.fileExists(atPath: "/dev/nvidiactl")
        let wanted = configuration.device
        if !hasDriver {
            guard wanted == .cuda || wanted == .cudaTF32 else {
                return .ok("GPU", "no NVIDIA driver; jobs compute on the processor")
            }
            return .fault(
                "GPU", "no NVIDIA driver, and device is \(wanted.rawValue)",
                "Install the driver, let the container see /dev/nvidia*, or set device: cpu.")
        }
        guard wanted == .cpu else {
            return .ok("GPU", "an NVIDIA driver is there, device is \(wanted.rawValue)")
        }
        return .note(
            "GPU", "an NVIDIA driver is there; jobs compute on the processor (device: cpu)",
            "For the GPU, build against PyTorch with CUDA and set device: docs/deployment.md.")
    }

    private func descriptors() -> Diagnosis {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let needed = UInt(configuration.http.connections) + 128
        let most = min(limit.rlim_max, 65_536)
        guard most >= needed else {
            return .note(
                "open files", "at most \(most), and http.connections needs \(needed)",
                "Raise the limit (ulimit -Hn, systemd: LimitNOFILE), or lower http.connections.")
        }
        return .ok("open files", "at most \(most)")
    }
}

extension ByteSize {
    /// For people, to a tenth of its unit.
    static func short(_ bytes: Int) -> String {
        let gibibytes = Double(bytes) / Double(1 << 30)
        return gibibytes >= 1
            ? String(format: "%.1f GiB", gibibytes)
            : String(format: "%.0f MiB", Double(bytes) / Double(1 << 20))
    }
}
