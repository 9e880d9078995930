import Burn
import Dispatch
import Execution
import Foundation
import PackedDataset
import Support
import Synchronization
import WorkerProtocol

/// A job's helpers, as its own worker sees them: gives them parts of the stage that runs, and takes in what they find.
public final class Helpers: BatchHelp {
    private struct Helper {
        /// Parts that it has, and those whose files were taken in since it was last given one.
        var parts: Set<Int> = []
        var taken: [Int] = []
        var isDismissed = false
    }

    private struct State {
        var batches: SharedBatches?
        /// Counts stages, so that one that is over is told from the next.
        var stage = 0
        var isSeeking = false
        /// Of the last part.
        var part = 0
        var helpers: [Int: Helper] = [:]
    }

    private let sharing: WorkerTask.Sharing
    private let machine: String
    private let send: @Sendable (WorkerMessage) -> Void
    private let state = Mutex(State())
    private let inputs = Mutex<Inputs?>(nil)

    /// What is needed to take findings in.
    private struct Inputs {
        var model: GraphModel
        var dataset: PackedDataset
        var classes: Int
    }

    /// Helpers stay for so long after a stage: the next one may want them.
    private static let linger: DispatchTimeInterval = .seconds(3)

    /// - Parameters:
    ///   - machine: what this worker computes on; helpers on another one are not used.
    ///   - send: to the service.
    public init(
        _ sharing: WorkerTask.Sharing, machine: String, send: @escaping @Sendable (WorkerMessage) -> Void
    ) {
        self.sharing = sharing
        self.machine = machine
        self.send = send
    }

    func use(_ model: GraphModel, _ images: LabelledImages) {
        let found = Inputs(model: model, dataset: images.dataset, classes: images.classes)
        inputs.withLock { $0 = found }
    }

    // MARK: Stages

    package var patience: Double { sharing.patience }

    package func begin(_ batches: SharedBatches) {
        let waiting: [Int]? = state.withLock { state in
            guard state.batches !== batches else { return nil }
            state.batches = batches
            state.stage += 1
            defer { state.isSeeking = true }
            if !state.isSeeking { send(.seeking(helpers: sharing.helpers)) }
            return Array(state.helpers.keys)
        }
        waiting?.forEach(feed)
    }

    package func end() {
        let stage = state.withLock { state -> Int? in
            guard state.batches != nil else { return nil }
            state.batches = nil
            return state.stage
        }
        guard let stage else { return }
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.linger) { [weak self] in
            self?.release(after: stage)
        }
    }

    private func release(after stage: Int) {
        state.withLock { state in
            guard state.stage == stage, state.batches == nil, state.isSeeking else { return }
            state.isSeeking = false
            send(.seeking(helpers: 0))
        }
    }

    // MARK: Helpers

    /// Called with what the service says, on one thread.
    public func take(_ notice: WorkerNotice) {
        switch notice {
        case .helper(let number, let machine):
            guard machine == self.machine else {
                send(
                    .log(
                        "a helper is not used: it computes on \(machine), and this worker on \(self.machine)")
                )
                return send(.dismissed(helper: number))
            }
            state.withLock { $0.helpers[number] = Helper() }
            feed(number)
        case .partFinished(let helper, let end):
            takeIn(end, of: helper)
            feed(helper)
        case .helperEnded(let number):
            state.withLock { state in
                state.helpers[number] = nil
                state.batches?.giveBack(by: number)
            }
        case .part: break
        }
    }

    /// Gives a helper as much as it may have.
    private func feed(_ number: Int) {
        let isReduced = inputs.withLock { $0?.model.isReduced } ?? false
        state.withLock { state in
            guard let batches = state.batches else { return }
            while let helper = state.helpers[number], !helper.isDismissed,
                helper.parts.count < HelperRules.partsAhead,
                let part = batches.takePart(state.part + 1, by: number, of: state.helpers.count)
            {
                state.part = part.number
                state.helpers[number]?.parts.insert(part.number)
                state.helpers[number]?.taken = []
                send(
                    .part(
                        WorkerPart(
                            number: part.number, stage: batches.stage.stage,
                            imageSet: batches.stage.imageSet, samples: part.samples,
                            labels: part.labels, threadsOfBatch: batches.threadsOfBatch,
                            isReduced: isReduced, taken: helper.taken),
                        helper: number))
            }
        }
    }

    private func takeIn(_ end: WorkerPartEnd, of number: Int) {
        let batches = state.withLock { state -> SharedBatches? in
            guard state.helpers[number]?.parts.remove(end.number) != nil else { return nil }
            return state.batches
        }
        // Not before it was read: the helper then removes it.
        defer { state.withLock { _ = $0.helpers[number]?.taken.append(end.number) } }
        // Nil for one that came too late: of a stage that is over, or done again here.
        guard let batches, let samples = batches.samples(of: end.number, by: number),
            let inputs = inputs.withLock({ $0 })
        else { return }
        let path = "\(sharing.folder)/\(number)/\(WorkerPart.file(end.number))"
        do {
            guard
                [end.forwards, end.gradients, end.bytesRead].allSatisfy(
                    (0...HelperRules.mostPasses).contains),
                let findings = try PartFile.read(
                    path, stage: batches.stage.stage, samples: samples, classes: inputs.classes,
                    rowBytes: batches.stage.rowBytes)
            else { throw HelperFault(description: "its file is not one of its part") }
            // Before the stage may be over, whose cost it is.
            inputs.model.passes.add(Passes(forwards: end.forwards, gradients: end.gradients))
            if batches.stage.imageSet == .training { inputs.dataset.countReading(bytes: end.bytesRead) }
            try batches.finish(part: end.number, findings)
        } catch {
            dismiss(number, because: error)
        }
    }

    /// What it has is done again, and it is given nothing more.
    private func dismiss(_ number: Int, because error: any Error) {
        send(.log("helper \(number) is not used any more: \(error)"))
        state.withLock { state in
            state.helpers[number]?.isDismissed = true
            state.batches?.giveBack(by: number)
        }
        send(.dismissed(helper: number))
    }
}

private struct HelperFault: Error, CustomStringConvertible { var description: String }
