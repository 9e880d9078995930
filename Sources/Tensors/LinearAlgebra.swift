import Support

extension Tensor {
    /// Eigenvalues (ascending) and eigenvectors (columns) of a symmetric matrix.
    public func symmetricEigen() throws -> (values: Tensor, vectors: Tensor) {
        let results = try Operator("aten::linalg_eigh").tensors([.tensor(self)])
        guard results.count == 2 else {
            throw TensorError(
                .failed, operatorName: "aten::linalg_eigh", message: "returned \(results.count) tensors")
        }
        return (results[0], results[1])
    }

    /// The thin singular value decomposition: self = u * diag(s) * vh.
    public func singularValues() throws -> (u: Tensor, s: Tensor, vh: Tensor) {
        let results = try Operator("aten::linalg_svd").tensors([.tensor(self), .bool(false)])
        guard results.count == 3 else {
            throw TensorError(
                .failed, operatorName: "aten::linalg_svd", message: "returned \(results.count) tensors")
        }
        return (results[0], results[1], results[2])
    }

    /// The largest squared singular value of an (N, D) matrix and its right singular vector (D), by power
    /// iteration on selfᵀ·self without forming it: O(N·D) memory and time per iteration.
    ///
    /// Stops when the value changes by less than `tolerance` of itself. The vector's sign is such that the
    /// mean projection of the rows is not negative. A zero matrix gives 0 and the start vector.
    public func topDirection(
        iterations: Int = 100, tolerance: Double = 1e-6, generator: Generator
    ) throws -> (eigenvalue: Double, direction: Tensor) {
        guard rank == 2, count > 0 else {
            throw TensorError(
                .invalidArgument, operatorName: "topDirection",
                message: "needs a matrix that is not empty, got shape \(shape)")
        }
        return try noGrad {
            let columns = try size(1)
            var direction = try Tensor.randn([columns], generator: generator, type: type)
            direction = try direction / direction.norm()
            var eigenvalue = 0.0
            for _ in 0..<iterations {
                let image = try transpose().matmul(matmul(direction))
                let next: Double = try image.norm().item()
                guard next > 0, next.isFinite else { return (0, direction) }
                direction = try image / next
                let change = Swift.abs(next - eigenvalue)
                eigenvalue = next
                if change <= tolerance * next { break }
            }
            let projection: Double = try matmul(direction).sum().item()
            return (eigenvalue, projection < 0 ? try -direction : direction)
        }
    }
}
