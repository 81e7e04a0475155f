/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libeu_missing.c: two functions that elfutils' libelf calls and Debian 13's libelf.a (0.192) does not have: they are in
 * libeu, which is not installed. Linked into the static program only, behind libelf.a: one that has them is not
 * changed. They begin and end a tree of the pieces that elf_getdata_rawchunk() made. What fills that tree,
 * eu_tsearch(), is missing with them, and not here: a program that asked for such a piece would not link. So the tree
 * is empty as long as it lives.
 */

/* elfutils' search_tree: a root, and a lock that only those take who search. */
struct search_tree {
	void *root;
};

void eu_search_tree_init(struct search_tree *tree);
void eu_search_tree_fini(struct search_tree *tree, void (*free_node)(void *));

void eu_search_tree_init(struct search_tree *tree)
{
	tree->root = 0;
}

void eu_search_tree_fini(struct search_tree *tree, void (*free_node)(void *))
{
	(void)tree;
	(void)free_node;
}
