import Burn

extension AnalysisTable {
    func save(_ path: String) throws {
        try ColumnFile.write(
            [
                ("predicted", predicted.data), ("distance", distance.data),
                ("adversarial_label", adversarialLabel.data), ("perturbation_norm", perturbationNorm.data),
            ], to: path)
    }

    /// Nil when the file is not there, or not one for `count` samples.
    init?(path: String, count: Int) throws {
        guard let columns = try ColumnFile.read(path) else { return nil }
        func column<Element: BitwiseCopyable>(_ name: String) -> [Element]? {
            columns[name].map { [Element](copying: $0) }.flatMap { $0.count == count ? $0 : nil }
        }
        guard let predicted: [Int32] = column("predicted"), let distance: [Float] = column("distance"),
            let adversarial: [Int32] = column("adversarial_label"),
            let norm: [Float] = column("perturbation_norm")
        else { return nil }
        self.init(count: count)
        self.predicted = predicted
        self.distance = distance
        adversarialLabel = adversarial
        perturbationNorm = norm
    }
}
