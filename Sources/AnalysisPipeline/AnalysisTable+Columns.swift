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
        guard let columns = try ColumnFile.read(path),
            let predicted: [Int32] = columns.column("predicted", count: count),
            let distance: [Float] = columns.column("distance", count: count),
            let adversarial: [Int32] = columns.column("adversarial_label", count: count),
            let norm: [Float] = columns.column("perturbation_norm", count: count)
        else { return nil }
        self.init(count: count)
        self.predicted = predicted
        self.distance = distance
        adversarialLabel = adversarial
        perturbationNorm = norm
    }
}
