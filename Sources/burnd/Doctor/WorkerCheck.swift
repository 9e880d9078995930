import Foundation
import Support
import WorkerProtocol
import Workers

/// Whether the worker starts, confines itself and computes: on a small network that the program holds.
struct WorkerCheck {
    let configuration: Configuration

    func run() async -> Diagnosis {
        let folder = NSTemporaryDirectory() + "burn-doctor-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        do {
            try FileManager.default.createDirectory(
                atPath: folder + "/out", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            let model = folder + "/small_cnn.pt2"
            try EmbeddedRelease.smallNetwork.write(to: URL(filePath: model))
            var settings = WorkerSupervisor.Configuration()
            settings.executable = configuration.worker
            settings.sandbox = configuration.sandbox
            let supervisor = try WorkerSupervisor(configuration: settings)
            let started = ContinuousClock.now
            let task = WorkerTask(kind: .probeModel(.init(model: model)), outputDirectory: folder + "/out")
            let exit = await supervisor.run(task) { _ in }
            if let problem = exit.problem { throw problem }
            let seconds = (ContinuousClock.now - started) / .seconds(1)
            return .ok(
                "worker",
                "\(supervisor.executable) ran a small network in \(String(format: "%.1f", seconds)) s")
        } catch {
            let problem = error as? Problem
            return .fault(
                "worker", problem.map { "\($0.title): \($0.detail)" } ?? "\(error)",
                problem?.fix ?? "Run ldd on burn-worker: no library may be missing.")
        }
    }
}
