import Foundation

extension PackedDataset {
    /// How images are about to be read: a hint to the kernel, without effect on what is read.
    public enum AccessPattern: Sendable {
        case sequential, random
        /// Read ahead of use.
        case soonNeeded
        /// The pages may be given up now.
        case notNeeded

        var advice: Int32 {
            switch self {
            case .sequential: MADV_SEQUENTIAL
            case .random: MADV_RANDOM
            case .soonNeeded: MADV_WILLNEED
            case .notNeeded: MADV_DONTNEED
            }
        }
    }

    /// Hints at the coming use of the images of `samples` (all of them when nil).
    public func advise(_ pattern: AccessPattern, samples: Range<Int>? = nil) {
        let samples = (samples ?? 0..<count).clamped(to: 0..<count)
        let page = sysconf(Int32(_SC_PAGESIZE))
        let start = samples.lowerBound * imageBytes / page * page
        let end = samples.upperBound * imageBytes
        guard page > 0, end > start, let base = images.baseAddress else { return }
        // MADV_DONTNEED only drops clean pages of a shared read-only mapping: they come back from the file.
        _ = madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, pattern.advice)
    }
}
