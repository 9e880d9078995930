import Foundation
import Support
import Tensors
import WorkerProtocol

/// One process for one task: reads it from standard input, reports on standard output, ends.
///
/// End of input or SIGTERM asks it to stop; it does at the next operator.
@main
enum WorkerMain {
    static func main() {
        let channel: Channel
        do {
            try Confinement.begin()
            channel = try Channel()
        } catch {
            FileHandle.standardError.offer(Data("burn-worker: \(error)\n".utf8))
            exit(2)
        }
        do {
            let task = try channel.receiveTask()
            let device = try DeviceChoice(of: task)
            if task.isShared { _ = Machine.processor }
            try Confinement.enter(for: task, hasGPU: device.isGPU)
            let token = try CancellationToken()
            channel.cancelOnEnd(token)
            channel.beatHeart()
            try LibTorch.checkVersion()
            let line = try device.use()
            if let line { channel.send(.log(line)) }
            try TaskRunner(channel: channel, token: token, gpu: device.isGPU ? line : nil).run(task)
            channel.send(.finished)
            Channel.end(0)
        } catch {
            channel.send(.failed(Self.problem(error)))
            Channel.end(1)
        }
    }

    private static func problem(_ error: any Error) -> Problem {
        switch error {
        case let problem as Problem: problem
        case is CancellationError:
            Problem(.cancelled, code: "cancelled", title: "The task was cancelled", detail: "on request")
        case let error as TensorError where error.kind == .outOfMemory:
            Problem(
                .unprocessable, code: Problem.MemoryCode.exceeded.rawValue,
                title: "The worker needs more memory than it may use",
                detail: error.description, location: "limits.worker_memory",
                fix: "Raise limits.worker_memory in the service's configuration.")
        case let error as TensorError:
            Problem(
                .internal, code: "engine-failed", title: "The tensor engine failed",
                detail: error.description)
        default:
            Problem(
                .internal, code: "worker-failed", title: "The worker failed",
                detail: String(describing: error))
        }
    }
}
