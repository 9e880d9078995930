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
}
