extension OperatorCatalog {
    /// Operators that move elements and compute nothing, and bounded creation.
    static let layouts: [OperatorRule] =
        group(
            OperatorCall.view,
            """
            aten::view(Tensor(a) self, SymInt[] size) -> Tensor(a)
            aten::_unsafe_view(Tensor(a) self, SymInt[] size) -> Tensor(a)
            aten::reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)
            """)
        + group(
            OperatorCall.flatten,
            "aten::flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)")
        + group(
            OperatorCall.unflatten,
            "aten::unflatten.int(Tensor(a) self, int dim, SymInt[] sizes) -> Tensor(a)")
        + group(
            OperatorCall.permute,
            """
            aten::permute(Tensor(a) self, int[] dims) -> Tensor(a)
            aten::movedim.int(Tensor(a) self, int source, int destination) -> Tensor(a)
            aten::movedim.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)
            """)
        + group(
            OperatorCall.asStrided,
            "aten::as_strided(Tensor(a) self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor(a)"
        )
        + group(
            OperatorCall.transpose,
            """
            aten::transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)
            aten::swapaxes(Tensor(a) self, int axis0, int axis1) -> Tensor(a)
            aten::swapdims(Tensor(a) self, int dim0, int dim1) -> Tensor(a)
            aten::numpy_T(Tensor(a) self) -> Tensor(a)
            aten::t(Tensor(a) self) -> Tensor(a)
            aten::mT(Tensor(a) self) -> Tensor(a)
            """)
        + group(
            OperatorCall.pad,
            """
            aten::pad(Tensor self, SymInt[] pad, str mode="constant", float? value=None) -> Tensor
            aten::constant_pad_nd(Tensor self, SymInt[] pad, Scalar value=0) -> Tensor
            aten::reflection_pad2d(Tensor self, SymInt[4] padding) -> Tensor
            aten::replication_pad2d(Tensor self, SymInt[4] padding) -> Tensor
            """)
        + group(
            OperatorCall.slice,
            "aten::slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor(a)"
        )
        + group(OperatorCall.select, "aten::select.int(Tensor(a) self, int dim, SymInt index) -> Tensor(a)")
        + group(
            OperatorCall.narrow,
            "aten::narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)")
        + group(OperatorCall.unsqueeze, "aten::unsqueeze(Tensor(a) self, int dim) -> Tensor(a)")
        + group(
            OperatorCall.squeeze,
            """
            aten::squeeze(Tensor(a) self) -> Tensor(a)
            aten::squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)
            aten::squeeze.dims(Tensor(a) self, int[] dim) -> Tensor(a)
            """)
        + group(
            OperatorCall.expand,
            "aten::expand(Tensor(a) self, SymInt[] size, *, bool implicit=False) -> Tensor(a)")
        + group(
            OperatorCall.reshapeAs,
            """
            aten::reshape_as(Tensor(a) self, Tensor other) -> Tensor(a)
            aten::view_as(Tensor(a) self, Tensor other) -> Tensor(a)
            """)
        + group(OperatorCall.expandAs, "aten::expand_as(Tensor(a) self, Tensor other) -> Tensor(a)")
        + group(
            OperatorCall.concatenate,
            """
            aten::cat(Tensor[] tensors, int dim=0) -> Tensor
            aten::concat(Tensor[] tensors, int dim=0) -> Tensor
            """)
        + group(OperatorCall.stack, "aten::stack(Tensor[] tensors, int dim=0) -> Tensor")
        + group(
            OperatorCall.split,
            "aten::split.Tensor(Tensor(a -> *) self, SymInt split_size, int dim=0) -> Tensor(a)[]")
        + group(
            OperatorCall.splitWithSizes,
            """
            aten::split_with_sizes(Tensor(a -> *) self, SymInt[] split_sizes, int dim=0) -> Tensor(a)[]
            aten::split.sizes(Tensor(a -> *) self, SymInt[] split_size, int dim=0) -> Tensor(a)[]
            """)
        + group(OperatorCall.chunk, "aten::chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]")
        + group(OperatorCall.unbind, "aten::unbind.int(Tensor(a -> *) self, int dim=0) -> Tensor(a)[]")
}
