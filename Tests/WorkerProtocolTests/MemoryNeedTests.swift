import Findings
import Support
import Testing

@testable import WorkerProtocol

@Suite struct MemoryNeedTests {
    @Test func isTheSumOfItsPartsAndSaturates() throws {
        let need = MemoryNeed(weights: 100 << 20, copies: 4, activations: 3 << 20, together: 128)
        #expect(need.bytes == need.engine + (400 << 20) + (384 << 20))
        try need.require(within: need.bytes)
        #expect {
            try need.require(within: need.bytes - 1)
        } throws: {
            let problem = $0 as? Problem
            return problem?.code == "memory-insufficient" && problem?.detail.contains("944 MiB") == true
                && problem?.detail.contains("943 MiB") == true
        }
        #expect(MemoryNeed(weights: .max / 2, copies: 4, activations: .max, together: 9).bytes == .max)
    }

    /// A purification has copies of the weights and trains on as many images as it may.
    @Test func followsTheTypeAndTheBatches() {
        let batches = BatchSizes(count: 300, values: 3 * 16 * 16, activationBytes: 1 << 20)
        let scan = MemoryNeed(.scan, weights: 8 << 20, batches, threads: 1)
        #expect(scan.copies == 1 && scan.weights == 8 << 20 && scan.activations == 1 << 20)
        #expect(scan.together == 128)
        #expect(MemoryNeed(.scan, weights: 0, batches, threads: 2).together == 256)
        #expect(MemoryNeed(.scan, weights: 0, batches, threads: 64).together == 300, "no more than there are")
        let purification = MemoryNeed(.purify, weights: 8 << 20, batches, threads: 1)
        #expect(purification.copies == 4 && purification.bytes > scan.bytes)
    }
}
