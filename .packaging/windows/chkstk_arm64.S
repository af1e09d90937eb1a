// The compiler calls __chkstk before it uses a stack frame of a page or more: Windows grows a
// stack by one page at a time, so each must be touched in order. In: x15, the size of the frame in
// units of 16 bytes. Only x16 and x17 may change.
	.text
	.globl	__chkstk
	.p2align 2
__chkstk:
	lsl	x16, x15, #4
	mov	x17, sp
1:
	sub	x17, x17, #4096
	subs	x16, x16, #4096
	ldr	xzr, [x17]
	b.gt	1b
	ret
